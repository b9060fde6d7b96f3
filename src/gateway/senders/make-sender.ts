/** Makes the reader for a sender of the alarms file. */
import { noProxies, type ProxyFor } from '../../network/proxies.js';
import { alertmanagerSender } from './alertmanager.js';
import { bearerSender } from './bearer.js';
import type { Sender, SenderSettings } from './sender.js';
import { smnSender } from './smn.js';
import { webhookSender } from './webhook.js';

/**
 * @param proxyFor the proxy for what a sender downloads itself. Default: none
 * @throws Error without the secret, when the settings would admit everyone or no one
 */
export function makeSender(name: string, settings: SenderSettings, proxyFor: ProxyFor = noProxies): Sender {
  switch (settings.kind) {
    case 'alertmanager':
      return alertmanagerSender(name, settings);
    case 'smn':
      return smnSender(name, settings, { proxyFor });
    case 'webhook':
      return webhookSender(name, settings);
    case 'bearer':
      return bearerSender(name, settings);
  }
}
