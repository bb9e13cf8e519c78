import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import vm from 'node:vm';

/** A function of the global `tokenizer`, and the texts of JSON that it is given. */
export type Call = readonly [name: string, ...inputs: readonly string[]];

/** Answers to calls, one after another in one engine. */
export type Engine = (script: string, calls: readonly Call[]) => readonly unknown[];

/** V8 with nothing but the language: no global of Node or of jest. */
export const inV8: Engine = (script, calls) => {
  const context = vm.createContext({});
  const has = vm.runInContext('[typeof TextEncoder, typeof atob, typeof require, typeof process]', context) as string[];
  if (has.some((type) => type !== 'undefined')) throw new Error(`this V8 is not bare: ${has.join(', ')}`);
  vm.runInContext(script, context);
  return calls.map(([name, ...inputs]) => {
    const given = inputs.map((input) => JSON.stringify(input)).join(', ');
    return JSON.parse(vm.runInContext(`tokenizer.${name}(${given})`, context) as string) as unknown;
  });
};

/** JavaScriptCore, the engine of iOS, by the program jsc of Debian's package libjavascriptcoregtk-bin. An Error where it is not there. */
export const inJavaScriptCore: Engine = (script, calls) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'jsc-'));
  try {
    const at = (name: string): string => path.join(folder, name);
    // The program has some helpers that are no part of the engine.
    writeFileSync(at('bare.js'), "for (const name of ['atob', 'btoa', 'console']) delete globalThis[name];");
    writeFileSync(at('tokenizer.js'), script);
    writeFileSync(at('calls.json'), JSON.stringify(calls));
    const main = `const has = [typeof TextEncoder, typeof atob, typeof require, typeof window];
if (has.some((type) => type !== 'undefined')) throw new Error('this JavaScriptCore is not bare: ' + has);
for (const [name, ...inputs] of JSON.parse(readFile(${JSON.stringify(at('calls.json'))}))) print(tokenizer[name](...inputs));`;
    writeFileSync(at('main.js'), main);
    const options = { encoding: 'utf8', maxBuffer: 1e9 } as const;
    const { error, status, stdout, stderr } = spawnSync('jsc', ['bare.js', 'tokenizer.js', 'main.js'].map(at), options);
    if (error !== undefined)
      throw new Error(
        `jsc does not start (${error.message}). On Debian: apt-get install --no-install-recommends libjavascriptcoregtk-bin`,
      );
    if (status !== 0) throw new Error(`jsc ended with code ${String(status)}:\n${stdout.slice(-2000)}${stderr}`);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
