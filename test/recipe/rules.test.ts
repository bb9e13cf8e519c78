import { refusals } from '../../src/recipe/refusals.ts';
import { RECIPE_PARTS } from '../../src/recipe/rule.ts';
import type { KeyRule } from '../../src/recipe/rule.ts';
import { rulesFor } from '../../src/recipe/rules.ts';
import { recipeJsonSchema } from '../../src/recipe/schema.ts';
import { taskNames } from '../../src/recipe/task.ts';

interface Node {
  readonly properties?: Record<string, Node>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
}

const schema: Node = recipeJsonSchema('inline');

/** Parts of the schema at a key, or at any item of a list. */
function inside(node: Node, part: string): Node[] {
  const { properties = {}, items, anyOf = [], oneOf = [] } = node;
  const own =
    part === '*'
      ? [...(items === undefined ? [] : [items]), ...Object.values(properties), node.additionalProperties]
      : [properties[part]];
  return [
    ...own.filter((found): found is Node => typeof found === 'object'),
    ...[...anyOf, ...oneOf].flatMap((one) => inside(one, part)),
  ];
}

function isKnown(key: string): boolean {
  const [part = '', ...rest] = key.split('.');
  const places = Object.hasOwn(RECIPE_PARTS, part) ? RECIPE_PARTS[part as keyof typeof RECIPE_PARTS] : [part];
  return places.some(
    (place) =>
      [...place.split('.'), ...rest].reduce<Node[]>(
        (nodes, one) => nodes.flatMap((node) => inside(node, one)),
        [schema],
      ).length > 0,
  );
}

it.each(taskNames())('rules of %s name keys that a recipe may have', (task) => {
  const names = rulesFor({ dataset: { task } }).flatMap(({ keys }) => keys);
  expect(names.length).toBeGreaterThan(50);
  expect(names.filter((key) => key !== '' && !isKnown(key))).toEqual([]);
});

const RULE: KeyRule = {
  keys: ['training.a', 'training.b', 'c'],
  when: (a: number, b?: number, c?: number) => a > (b ?? 0) && c === 1,
  because: (_a: number, b: number) => `at most ${b}`,
};

it('a rule about a part is asked at each of its places, of keys in the same place', () => {
  const recipe = {
    c: 1,
    distill: { a: 2, b: 3 },
    teacher: {
      train: { a: 5, b: 4 },
      chain: [
        { a: 1, b: 1 },
        { a: 8, b: 7 },
      ],
    },
  };
  expect(refusals(recipe, [RULE]).map(({ path, expected, received }) => [path.join('.'), expected, received])).toEqual([
    ['teacher.train.a', 'at most 4', '5'],
    ['teacher.chain.1.a', 'at most 7', '8'],
  ]);
  expect(refusals({ ...recipe, c: 2 }, [RULE])).toEqual([]);
});

it('a rule is asked about an absent key only if it says so', () => {
  const rule: KeyRule = { keys: ['a', 'b'], when: (_a: unknown, b: number) => b === 1, because: 'something' };
  expect(refusals({ b: 1 }, [rule])).toEqual([]);
  expect(refusals({ b: 1 }, [{ ...rule, isOfAbsent: true }])).toHaveLength(1);
});

it('a star is each item of a list or key of a mapping, and its name is handed on', () => {
  const rule: KeyRule = {
    keys: ['list.*.a', 'list.*.b'],
    when: (a: number, b: number) => a === b,
    because: (_a: number, _b: number, star: string | number) => `another beside ${star}`,
  };
  const found = (list: unknown): unknown[] => refusals({ list }, [rule]).map(({ path, expected }) => [path, expected]);
  expect(
    found([
      { a: 1, b: 2 },
      { a: 3, b: 3 },
    ]),
  ).toEqual([[['list', 1, 'a'], 'another beside 1']]);
  expect(found({ x: { a: 1, b: 1 } })).toEqual([[['list', 'x', 'a'], 'another beside x']]);
});
