/** Listening for connections. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Begins to listen. @returns the port @throws Error if the address cannot be listened on
 * @param host `undefined`: all addresses @param onError is called for each later error of the server, such as a connection that the system
 * could not accept: without a listener, that would end the process
 */
export async function listen(
  server: Server,
  { host, port }: { readonly host?: string | undefined; readonly port: number },
  onError: (error: Error) => void,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  });
  server.on('error', onError);
  return (server.address() as AddressInfo).port;
}
