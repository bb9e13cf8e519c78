import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The modules that make token ids of texts: they import each other and nothing else, so that they run anywhere. */
const FOLDER = path.join(import.meta.dirname, '../../data/text/tokenizer');

/** `.js`, or `.ts` where the program itself runs uncompiled, in its own tests. */
const EXTENSION = path.extname(import.meta.filename);

/** The tokenizers as JavaScript, by file name, for apps to take along: the modules of texts and of lists of words, and what they import. */
export async function tokenizerModules(): Promise<Readonly<Record<string, string>>> {
  const modules = await modulesOf(['encode', 'words']);
  return Object.fromEntries([...modules].sort().map(([name, script]) => [`${name}.js`, script]));
}

/** Modules that samples of several forms of answers take, by their place in the source. */
const MODULES = {
  normalized: 'data/normalized',
  dates: 'data/dates',
  fitted: 'data/pictures/fitted',
  camera: 'data/pictures/camera',
  resize: 'data/pictures/resize',
  polyphase: 'data/sounds/polyphase',
  riff: 'data/sounds/riff',
} as const;

export type SharedModule = keyof typeof MODULES;

/**
 * Functions that normalize numbers, scale and place pictures, read dates and sounds, bring these to another rate, and what forms of answers have of their
 * own, as JavaScript, with the modules that they import: `NAME.js` by the name of the module, or of that at a URL without its ending. They stand in one
 * folder.
 */
export async function sharedModules(names: readonly (SharedModule | URL)[]): Promise<Record<string, string>> {
  const scripts = new Map<string, string>();
  const places = names.map((name) =>
    typeof name === 'string' ? path.join(FOLDER, '../../..', MODULES[name]) : fileURLToPath(name),
  );
  const waiting = new Map(places.map((place) => [path.basename(place), place]));
  for (const [name, place] of waiting) {
    const script = await scriptOf(place);
    const beside = script.replace(/ from '(\.[^'\n]+)\.js';$/gm, (_, to: string) => {
      const [own, other] = [path.basename(to), path.join(path.dirname(place), to)];
      if ((waiting.get(own) ?? other) !== other) throw new Error(`a kit has two modules ${own}: ${other}`);
      waiting.set(own, other);
      return ` from './${own}.js';`;
    });
    scripts.set(`${name}.js`, beside);
  }
  return Object.fromEntries(scripts);
}

async function scriptOf(place: string): Promise<string> {
  const text = await readFile(`${place}${EXTENSION}`, 'utf8');
  return (EXTENSION === '.js' ? text : await compiled(text)).replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
}

/** Name of the one script among the files of the tokenizer. */
export const SCRIPT_FILE = 'tokenizer.js';

/**
 * The same tokenizers as one script of ECMAScript 2022, for engines without modules: it asks for nothing but what the language and ECMA-402 name, and leaves
 * one global, `tokenizer`, whose functions are those of data/text/tokenizer/script.ts.
 */
export async function tokenizerScript(): Promise<string> {
  const modules = await modulesOf([BARE, 'script']);
  const parts = [...modules].map(([name, script]) => {
    const { body, names } = unwrapped(name, script);
    const part = `modules['${name}'] = (() => {\n${body}return { ${names.join(', ')} };\n})();\n`;
    return name === BARE ? `${part}const { ${names.join(', ')} } = modules['${name}'];\n` : part;
  });
  return `// Token ids of texts, in one script: tokenizer.open(…), then tokenizer.encode(…) or tokenizer.encodeWords(…).
var tokenizer = (() => {
'use strict';
const modules = {};
${parts.join('\n')}
return modules['script'];
})();
`;
}

/** Module whose names take the place of those that browsers and Node have as globals. */
const BARE = 'bare';

/** Modules by name and all that they import, in an order in which each stands behind what it imports. */
async function modulesOf(first: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const modules = new Map<string, string>();
  const add = async (name: string): Promise<void> => {
    if (modules.has(name)) return;
    const script = await scriptOf(path.join(FOLDER, name));
    for (const [, from] of script.matchAll(
      /^(?:.*\*\/ )?(?:import|export)\s(?:[^'"();=]*\sfrom\s*)?['"]([^'"]+)['"]/gm,
    )) {
      const beside = /^\.\/([a-z-]+)\.js$/.exec(from!)?.[1];
      if (beside === undefined) throw new Error(`the tokenizer's module ${name} imports ${from}, which no app has`);
      await add(beside);
    }
    modules.set(name, script);
  };
  for (const name of first) await add(name);
  return modules;
}

/** A module as the body of a function, and the names that it exports. Its imports are read from `modules`. A compiler may leave a comment before either. */
function unwrapped(name: string, script: string): { readonly body: string; readonly names: readonly string[] } {
  const names: string[] = [];
  const body = script
    .replace(
      /^(.*\*\/ )?import \{([^}]*)\} from ['"]\.\/([a-z-]+)\.js['"];$/gm,
      (_, doc: string | undefined, imported: string, from: string) => {
        return `${doc ?? ''}const {${imported.replaceAll(' as ', ': ')}} = modules['${from}'];`;
      },
    )
    .replace(
      /^(.*\*\/ )?export (?=(?:function|class|const) ([\w$]+))/gm,
      (_, doc: string | undefined, exported: string) => {
        names.push(exported);
        return doc ?? '';
      },
    );
  const left = /^(?:.*\*\/ )?(?:import|export)\b.*/m.exec(body)?.[0];
  if (left !== undefined) throw new Error(`the tokenizer's module ${name} has a line that no script can have: ${left}`);
  return { body, names };
}

/** Module as JavaScript. */
async function compiled(text: string): Promise<string> {
  const { default: typescript } = await import('typescript');
  const compilerOptions = {
    module: typescript.ModuleKind.ESNext,
    target: typescript.ScriptTarget.ES2022,
    rewriteRelativeImportExtensions: true,
  };
  const { outputText } = typescript.transpileModule(text, { compilerOptions });
  // This interface of TypeScript quotes rewritten names otherwise than its native compiler, which makes the package.
  return outputText.replace(/ from "(\.[^"\n]*)";$/gm, " from '$1';");
}
