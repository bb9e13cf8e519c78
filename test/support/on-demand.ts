import { loadAllOnDemand } from '../../src/base/on-demand.ts';
import '../../src/data/augment/steps-of.ts';
import '../../src/distill/losses/registry.ts';
import '../../src/report/html/sections/rare.ts';

await loadAllOnDemand();
