/** Regions of ServiceStage. Source: `ServiceStageRegion` of the official SDKs 3.1.21x, 2026-11. */
export const REGIONS: readonly string[] = [
  ...[
    'af-south-1',
    'ap-southeast-1',
    'ap-southeast-2',
    'ap-southeast-3',
    'ap-southeast-4',
    'cn-east-2',
    'cn-east-3',
    'cn-east-4',
  ],
  ...[
    'cn-north-1',
    'cn-north-4',
    'cn-north-9',
    'cn-north-12',
    'cn-south-1',
    'cn-south-4',
    'cn-southwest-2',
    'la-north-2',
  ],
  ...['la-south-2', 'me-east-1', 'my-kualalumpur-1', 'ru-moscow-1', 'sa-brazil-1', 'tr-west-1'],
];

/** True for a region in which ServiceStage exists. */
export function isRegion(name: string): boolean {
  return REGIONS.includes(name);
}
