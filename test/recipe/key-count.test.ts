import { recipeJsonSchema } from '../../src/recipe/schema.ts';

interface Node {
  readonly properties?: Record<string, Node>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
}

/** Paths of all keys inside a part of the schema; items of a list, and any key of a mapping, have the path of the list or mapping. */
function keysOf({ properties = {}, additionalProperties, items, anyOf = [], oneOf = [] }: Node, at = ''): string[] {
  const own = Object.entries(properties).flatMap(([key, node]) => [at + key, ...keysOf(node, `${at}${key}.`)]);
  const inside = [...anyOf, ...oneOf, items, additionalProperties].filter((node) => typeof node === 'object');
  return [...own, ...inside.flatMap((node) => keysOf(node, at))];
}

it('a recipe has at most 408 paths of keys', () => {
  expect(new Set(keysOf(recipeJsonSchema('inline'))).size).toBeLessThanOrEqual(408);
});

it('the schema that editors load has at most 300 kB', () => {
  expect(JSON.stringify(recipeJsonSchema(), null, 2).length).toBeLessThanOrEqual(300_000);
});
