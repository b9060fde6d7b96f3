# glibc is needed: Temporal's native core has no musl build.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY scripts/bundle.mjs scripts/
COPY src src
RUN npm run build

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
# Native binaries of other platforms are most of the image.
RUN cd node_modules/@temporalio/core-bridge/releases \
  && for release in *; do case "$release" in "$(uname -m)"-unknown-linux-gnu) ;; *) rm -rf "$release" ;; esac; done

FROM node:24-bookworm-slim
# The allocator of the C library otherwise keeps memory for each thread (docs/performance.md).
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY runbooks runbooks
# Runbooks, calendars and notifications of your own are mounted here; nothing mounted is none.
RUN mkdir -p /srv/runbooks /srv/calendars /srv/notifications
ENV RUNBOOK_DIR=/srv/runbooks RUNBOOK_CALENDARS=/srv/calendars
USER node
CMD ["node", "--max-old-space-size=1024", "dist/worker.js"]
