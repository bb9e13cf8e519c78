import { spawn } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { ROOT } from './built.ts';

interface ServedKit {
  /** Folder of the kit. */
  readonly kit: string;
  /** Where its own server serves its pages for browsers, with a slash at the end. */
  readonly address: string;
  readonly end: () => void;
}

/** The kit of a run, in a folder of that name in `folder`, and its pages with the packages of this project. */
export async function servedKit(run: string, folder: string): Promise<ServedKit> {
  const kit = path.join(folder, 'kit');
  await writeKit(run, kit);
  const pages = path.join(kit, 'samples/browser');
  await symlink(path.join(ROOT, 'node_modules'), path.join(pages, 'node_modules'));
  const server = spawn(process.execPath, ['serve.mjs', '0'], { cwd: pages });
  const address = await new Promise<string>((resolve, reject) => {
    server.stdout.once('data', (data: Buffer) => resolve(String(data).trim()));
    server.once('exit', (code) => reject(new Error(`the server of ${pages} ended with code ${String(code)}`)));
  });
  return { kit, address, end: () => server.kill() };
}
