import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { models } from '../../src/networks/models/registry.ts';
import { parseRecipe } from '../../src/recipe/load.ts';
import { recipeJsonSchema } from '../../src/recipe/schema.ts';
import { ROOT } from '../support/built.ts';

const RECIPES = readdirSync(path.join(ROOT, 'recipes')).filter((file) => file.endsWith('.yaml'));

describe('the recipes of the project', () => {
  it.each(RECIPES)('%s is right', (name) => {
    const file = path.join(ROOT, 'recipes', name);
    const { recipe } = parseRecipe(readFileSync(file, 'utf8'), file, { models });
    expect(recipe.name).toBe(path.basename(name, '.yaml'));
  });

  it('are the ones that the documents name', () => {
    expect(RECIPES).toEqual(
      expect.arrayContaining([
        'fashion-mnist.yaml',
        'fashion-mnist-first-teacher.yaml',
        'fashion-mnist-teacher.yaml',
        'digits-csv.yaml',
        'hinton-mnist.yaml',
        'cifar100-resnet32x4-8x4.yaml',
      ]),
    );
  });
});

interface Node {
  readonly description?: string;
  readonly properties?: Record<string, Node>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
}

describe('the JSON Schema of recipes', () => {
  it('has a sentence for every key', () => {
    const without: string[] = [];
    const visit = (node: Node, where: string): void => {
      for (const [key, inner] of Object.entries(node.properties ?? {})) {
        // Of a choice by `type`, the type itself says it; files are said at the key that they are files of.
        const isSaid =
          inner.description !== undefined ||
          key === 'type' ||
          /(train|test|validation|unlabelled|crop|normalize)\./.test(`${where}${key}`);
        if (!isSaid) without.push(`${where}${key}`);
        visit(inner, `${where}${key}.`);
      }
      for (const inner of [node.items, ...(node.anyOf ?? []), ...(node.oneOf ?? [])])
        if (inner !== undefined) visit(inner, where);
    };
    visit(recipeJsonSchema('inline'), '');
    expect(without).toEqual([]);
  });

  it('is no larger than editors load at once, with what stands in several places written once', () => {
    expect(JSON.stringify(recipeJsonSchema(), null, 2).length).toBeLessThan(300_000);
  });
});
