import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** The modules that make token ids of texts: they import each other and nothing else, so that they run anywhere. */
const FOLDER = path.join(import.meta.dirname, '../../data/text');

/** Modules of the folder that need the rest of this program. */
const OWN = new Set(['checked', 'open', 'sink', 'text-folder']);

/** The tokenizers as JavaScript, by file name, for apps to take along; `encode.js` is the first to import. */
export async function tokenizerModules(): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(FOLDER)).filter((name) => /^[a-z-]+\.(?:js|ts)$/.test(name)).sort();
  const modules = names.filter((name) => !OWN.has(path.parse(name).name));
  const texts = await Promise.all(
    modules.map(async (name) => {
      const text = await readFile(path.join(FOLDER, name), 'utf8');
      return [`${path.parse(name).name}.js`, name.endsWith('.js') ? text : await compiled(text)] as const;
    }),
  );
  return Object.fromEntries(texts.map(([name, text]) => [name, text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n')]));
}

/** Module as JavaScript, where the program itself runs uncompiled, in its own tests. */
async function compiled(text: string): Promise<string> {
  const { default: typescript } = await import('typescript');
  const compilerOptions = {
    module: typescript.ModuleKind.ESNext,
    target: typescript.ScriptTarget.ES2022,
  };
  const { outputText } = typescript.transpileModule(text, { compilerOptions });
  return outputText.replaceAll(/(from '\.\/[a-z-]+)\.ts'/g, "$1.js'");
}
