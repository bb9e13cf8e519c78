import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/**
 * Compiles modules of `src/` (names without extension, e.g. `data/prefetch`) and all that they import to JavaScript files,
 * of cells of features only readers of labels and rows of reports, for tests that need a thread or a process of their own. Put `folder` below `node_modules/`, so that packages are found.
 */
export async function compileTo(folder: string, modules: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'package.json'), '{"type": "module"}');
  const done = new Set<string>();
  const todo = [...modules];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (done.has(name)) continue;
    done.add(name);
    const source = await readFile(path.resolve('src', `${name}.ts`), 'utf8');
    const { outputText } = ts.transpileModule(source, { compilerOptions: OPTIONS });
    const file = path.join(folder, `${name}.js`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, outputText);
    for (const [, imported] of outputText.matchAll(/(?:from|import\(|import)\s*['"](\.[^'"$]+)\.js['"]/g)) {
      if (name === 'features' && imported!.startsWith('./answers/') && !/\/(index|labels|report)$/.test(imported!))
        continue;
      todo.push(path.posix.join(path.posix.dirname(name), imported!));
    }
  }
}
