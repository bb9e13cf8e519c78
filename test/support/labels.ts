import { loadTargets } from '../../src/data/targets/registry.ts';
import { taskNames } from '../../src/recipe/task.ts';

// Tests make data sets by hand, whose readers of labels nothing else loads. One after another: jest cannot link two modules at a time.
for (const task of taskNames()) await loadTargets({ task });
