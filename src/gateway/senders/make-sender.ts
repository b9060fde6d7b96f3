/** Makes the reader for a sender of the alarms file. */
import { alertmanagerSender } from './alertmanager.js';
import { bearerSender } from './bearer.js';
import type { Sender, SenderNetwork, SenderSettings } from './sender.js';
import { smnSender } from './smn.js';
import { webhookSender } from './webhook.js';

/**
 * @param network how a sender downloads what it needs itself
 * @throws Error without the secret, when the settings would admit everyone or no one
 */
export function makeSender(name: string, settings: SenderSettings, network: SenderNetwork = {}): Sender {
  switch (settings.kind) {
    case 'alertmanager':
      return alertmanagerSender(name, settings);
    case 'smn':
      return smnSender(name, settings, network);
    case 'webhook':
      return webhookSender(name, settings);
    case 'bearer':
      return bearerSender(name, settings);
  }
}
