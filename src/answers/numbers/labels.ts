import { numbers } from '../../data/targets/numbers.ts';
import type { TargetReaders } from '../../data/targets/registry.ts';

export const labels: TargetReaders = { regression: numbers };
