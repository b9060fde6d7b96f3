/** What the simulator starts with: two applications with a few components on containers and virtual machines. */
import type { Seed } from './world.js';

/** Instances to create, with their applications and components. */
export const DEMO_WORLD: readonly Seed[] = [
  {
    application: 'shop',
    component: 'checkout',
    name: 'prod-1',
    version: '1.4.1',
    replica: 2,
    snapshots: ['1.3.1', '1.3.2', '1.4.0'],
  },
  {
    application: 'shop',
    component: 'checkout',
    name: 'prod-2',
    version: '1.4.1',
    replica: 2,
    snapshots: ['1.3.2', '1.4.0'],
  },
  {
    application: 'shop',
    component: 'search',
    name: 'prod-1',
    version: '2.0.0',
    replica: 3,
    status: 'STOPPED',
    snapshots: ['1.9.0'],
  },
  {
    application: 'shop',
    component: 'catalog',
    name: 'prod-1',
    version: '5.2.0',
    replica: 4,
    snapshots: ['5.0.0', '5.1.0'],
  },
  {
    application: 'billing',
    component: 'invoices',
    name: 'prod-1',
    platformType: 'vmapp',
    version: '3.1.0',
    replica: 2,
    hosts: ['ecs-0a11', 'ecs-0a12'],
    snapshots: ['3.0.0', '3.0.1'],
  },
  {
    application: 'billing',
    component: 'ledger',
    name: 'prod-1',
    version: '7.0.3',
    replica: 1,
    status: 'DOWN',
    availableReplica: 0,
    snapshots: ['7.0.1', '7.0.2'],
  },
];
