/** The senders of a gateway, made again when the file of a secret or certificate changes: rotating one needs no restart. */
import type { Logger } from 'pino';
import { orDeadline } from '../time/pause.js';
import type { AlarmsConfig } from './alarms-file/read-alarms-file.js';
import { makeSender } from './senders/make-sender.js';
import type { Sender, SenderNetwork, SenderSettings } from './senders/sender.js';

/** Chosen, as for the secrets of variables. */
const CHECK_EVERY_MS = 1_000;
/** A delivery waits no longer for a file system that does not answer; the secrets of before count meanwhile. */
const PATIENCE_MS = 500;

/** What following senders needs. */
export interface FollowedSendersOptions {
  readonly network?: SenderNetwork | undefined;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Epoch milliseconds. Default: the current time. */
  readonly nowMs?: (() => number) | undefined;
}

interface Followed {
  readonly name: string;
  readonly readAgain: () => Promise<SenderSettings | string>;
  settings: SenderSettings;
  sender: Sender;
  /** What was logged last; the same trouble is logged once. */
  trouble: string | null;
}

/** Senders by name. */
export class FollowedSenders {
  readonly #followed: ReadonlyMap<string, Followed>;
  #checkedAtMs: number;
  #checking: Promise<void> | null = null;

  /** @throws Error when the settings of a sender would admit everyone or no one */
  constructor(
    senders: AlarmsConfig['senders'],
    private readonly options: FollowedSendersOptions,
  ) {
    this.#checkedAtMs = this.#nowMs();
    this.#followed = new Map(
      senders.map(({ name, settings, readAgain = async () => settings }) => [
        name,
        { name, settings, readAgain, sender: makeSender(name, settings, options.network), trouble: null },
      ]),
    );
  }

  /** Reads the files again if that is a second ago. Whichever sender is asked for, all are read: the time of an answer must not show which names exist. */
  async refresh(): Promise<void> {
    const ageMs = this.#nowMs() - this.#checkedAtMs;
    if (ageMs >= 0 && ageMs < CHECK_EVERY_MS) return;
    this.#checking ??= this.#check().finally(() => {
      this.#checkedAtMs = this.#nowMs();
      this.#checking = null;
    });
    await orDeadline(this.#checking, Date.now() + PATIENCE_MS);
  }

  /** The sender with the secrets of the last reading; `undefined` if there is none of that name. */
  get(name: string): Sender | undefined {
    return this.#followed.get(name)?.sender;
  }

  async #check(): Promise<void> {
    await Promise.all([...this.#followed.values()].map((followed) => this.#checkOne(followed)));
  }

  async #checkOne(followed: Followed): Promise<void> {
    const { name, readAgain } = followed;
    const found = await readAgain().catch((error: unknown) => String(error));
    if (typeof found === 'string') {
      if (found !== followed.trouble)
        this.options.log.warn(
          { sender: name, what: found },
          'secrets of a sender not read again; those of before count',
        );
      followed.trouble = found;
      return;
    }
    const hadTrouble = followed.trouble !== null;
    followed.trouble = null;
    if (JSON.stringify(found) === JSON.stringify(followed.settings)) {
      if (hadTrouble)
        this.options.log.info({ sender: name }, 'secrets of a sender can be read again: they have not changed');
      return;
    }
    followed.sender = makeSender(name, found, this.options.network);
    followed.settings = found;
    this.options.log.info({ sender: name }, 'secrets of a sender read again: they have changed');
  }

  #nowMs(): number {
    return this.options.nowMs?.() ?? Date.now();
  }
}
