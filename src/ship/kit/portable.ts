import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The modules that make token ids of texts: they import each other and nothing else, so that they run anywhere. */
const FOLDER = path.join(import.meta.dirname, '../../data/text');

/** Modules that an app imports: of texts, and of lists of words. */
const FIRST = ['encode', 'words'];

/** `.js`, or `.ts` where the program itself runs uncompiled, in its own tests. */
const EXTENSION = path.extname(import.meta.filename);

/** The tokenizers as JavaScript, by file name, for apps to take along: the modules that are imported first, and what they import. */
export async function tokenizerModules(): Promise<Readonly<Record<string, string>>> {
  const modules = new Map<string, string>();
  const wanted = [...FIRST];
  for (const name of wanted) {
    if (modules.has(name)) continue;
    const text = await readFile(path.join(FOLDER, `${name}${EXTENSION}`), 'utf8');
    const script = (EXTENSION === '.js' ? text : await compiled(text)).replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
    modules.set(name, script);
    for (const [, from] of script.matchAll(/^(?:import|export)\s(?:[^'"();=]*\sfrom\s*)?['"]([^'"]+)['"]/gm)) {
      const beside = /^\.\/([a-z-]+)\.js$/.exec(from!)?.[1];
      if (beside === undefined) throw new Error(`the tokenizer's module ${name} imports ${from}, which no app has`);
      wanted.push(beside);
    }
  }
  return Object.fromEntries([...modules].sort().map(([name, script]) => [`${name}.js`, script]));
}

/** Module as JavaScript. */
async function compiled(text: string): Promise<string> {
  const { default: typescript } = await import('typescript');
  const compilerOptions = {
    module: typescript.ModuleKind.ESNext,
    target: typescript.ScriptTarget.ES2022,
  };
  const { outputText } = typescript.transpileModule(text, { compilerOptions });
  return outputText.replaceAll(/(from '\.\/[a-z-]+)\.ts'/g, "$1.js'");
}
