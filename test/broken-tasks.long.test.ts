import { boxes } from './broken/boxes.ts';
import { compressing } from './broken/compress.ts';
import { refuses } from './broken/refused.ts';
import { sounds } from './broken/sounds.ts';
import { tags } from './broken/tags.ts';
import { pairRecipes, vectorCommands, vectorRecipes } from './broken/vectors.ts';

describe('a broken input ends with exit code 1, a message, a remedy, no stack and untouched files', () => {
  refuses({ ...sounds, ...tags, ...boxes, ...vectorRecipes, ...pairRecipes }, { ...compressing, ...vectorCommands });
});
