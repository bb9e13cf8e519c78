import { OnDemand } from '../../src/base/on-demand.ts';

it('opens a module once, when it is loaded, and throws for a module that is not', async () => {
  let opened = 0;
  const demanded = new OnDemand('the module', () => Promise.resolve({ number: ++opened }));
  expect(() => demanded.module).toThrow('the module: not loaded');
  expect(opened).toBe(0);
  await demanded.load();
  expect(await demanded.load()).toEqual({ number: 1 });
  expect(demanded.module.number).toBe(1);
});
