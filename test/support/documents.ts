import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { built, ROOT } from './built.ts';

/** The blocks of code in `language` of a Markdown text. */
export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map((match) => match[1]!);
}

/** Calls `use` with a folder that has installed the package and has copies of these folders of the repository, and removes it. */
export async function asProject(folders: Readonly<Record<string, string>>, use: (folder: string) => Promise<void>) {
  const folder = await mkdtemp(path.join(tmpdir(), 'limbeck-docs-'));
  try {
    await mkdir(path.join(folder, 'node_modules'));
    await symlink(built(), path.join(folder, 'node_modules/limbeck'));
    for (const [from, to] of Object.entries(folders))
      await cp(path.join(ROOT, from), path.join(folder, to), { recursive: true });
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
