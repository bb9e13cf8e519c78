import { commands } from './broken/commands.ts';
import { data } from './broken/data.ts';
import { labels } from './broken/labels.ts';
import { recipes } from './broken/recipes.ts';
import { refuses } from './broken/refused.ts';
import { students } from './broken/students.ts';
import { teachers } from './broken/teachers.ts';
import { texts } from './broken/texts.ts';

describe('a broken input ends with exit code 1, a message, a remedy, no stack and untouched files', () => {
  refuses({ ...recipes, ...data, ...labels, ...students, ...teachers, ...texts }, commands);
});
