import { readFileSync } from 'node:fs';
import { UserError } from '../../src/base/errors.ts';
import { ENGINE_NAMES } from '../../src/recipe/engines.ts';
import { engines } from '../../src/runtime/engine-registry.ts';
import { engineRow } from '../../src/runtime/engines.ts';

it('names each engine in docs/gpu.md', () => {
  const table = readFileSync('docs/gpu.md', 'utf8');
  for (const name of ENGINE_NAMES) expect(table).toMatch(new RegExp(`^\\| \`${name}\``, 'm'));
});

it.each(ENGINE_NAMES)(
  'creates %s where its status says that it can be used, and refuses it where it is missing',
  async (name) => {
    if (!engines.names().includes(name)) {
      await expect(engineRow(name)).rejects.toThrow(`no engine ${name}`);
      return;
    }
    const { status, create } = await engineRow(name);
    const { refuseMissing } = engines.get(name);
    const { usable, reason } = status();
    expect(reason).not.toBe('');
    const open = (): unknown => create({ device: 'cpu', threads: 1 });
    if (usable) expect(open()).toMatchObject({ name, device: 'cpu' });
    else expect(open).toThrow(UserError);
    if (usable) expect(() => refuseMissing?.()).not.toThrow();
  },
);

it('takes onnxruntime for auto', async () => {
  expect((await engineRow('auto')).create({ device: 'cpu', threads: 1 }).name).toBe('onnxruntime');
});
