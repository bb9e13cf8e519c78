import { classes } from '../../data/targets/classes.ts';
import type { TargetReaders } from '../../data/targets/registry.ts';

export const labels: TargetReaders = { classification: classes };
