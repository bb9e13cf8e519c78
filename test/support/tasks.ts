import { taskNames } from '../../src/recipe/task.ts';
import './labels.ts';
import { loadTask } from '../../src/tasks/registry.ts';

// Tests make data sets by hand, whose tasks nothing else loads. One after another: jest cannot link two modules at a time.
for (const task of taskNames()) await loadTask(task);
