import { sharedModules } from '../../../src/ship/kit/portable.ts';

it('a module of a kit has the modules that it imports beside it, wherever they lie in the source', async () => {
  const names = Object.keys(await sharedModules(['fitted']));
  expect(names.sort()).toEqual(['fitted.js', 'letterbox.js', 'resize.js']);
  const files = await sharedModules(['fitted', new URL('../../../src/report/mask-colours', import.meta.url)]);
  const imported = Object.values(files).flatMap((text) => [...text.matchAll(/^import .* from '(.*)';$/gm)]);
  expect(imported.length).toBeGreaterThan(1);
  for (const [, from] of imported) expect(Object.keys(files).map((name) => `./${name}`)).toContain(from);
});
