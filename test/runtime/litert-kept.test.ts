import { setImmediate } from 'node:timers/promises';
import { Kept } from '../../src/runtime/litert/kept.ts';

describe('what is made once', () => {
  it('is made once, also while it is being made', async () => {
    const kept = new Kept<number, string>();
    let made = 0;
    const make = async (): Promise<string> => Promise.resolve(`${++made}`);
    expect(await Promise.all([kept.get(1, make), kept.get(1, make)])).toEqual(['1', '1']);
    expect(await kept.get(1, make)).toBe('1');
  });

  it('is tried again after a failure', async () => {
    const kept = new Kept<number, string>();
    await expect(kept.get(1, () => Promise.reject(new Error('no memory')))).rejects.toThrow('no memory');
    expect(await kept.get(1, () => Promise.resolve('now'))).toBe('now');
  });

  it('is disposed of, also where it is still being made; a failure needs nothing', async () => {
    const kept = new Kept<number, string>();
    const [disposed, unhandled]: [string[], unknown[]] = [[], []];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listen);
    void kept.get(1, () => Promise.resolve('ready'));
    void kept.get(2, () => setImmediate('late'));
    void kept.get(3, () => Promise.reject(new Error('no memory'))).catch(() => undefined);
    kept.clear((value) => disposed.push(value));
    await setImmediate();
    await setImmediate();
    process.off('unhandledRejection', listen);
    expect(disposed).toEqual(['ready', 'late']);
    expect(unhandled).toEqual([]);
  });
});
