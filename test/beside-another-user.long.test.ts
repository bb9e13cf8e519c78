import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { built } from './support/built.ts';
import { temporaryFolder } from './support/folder.ts';

const [ROOT, NOBODY, OTHER] = [0, 65_534, 65_533];
const folder = temporaryFolder();
const at = (...names: string[]): string => path.join(folder(), ...names);

/** Folders that both users write to, as to /tmp. */
const SHARED = ['tmp', 'cache', 'out'];

/** Runs the command line as a user, in a folder of that user. */
function limbeckAs(user: number, ...args: string[]) {
  const env = { PATH: process.env['PATH'], HOME: at(`home-${user}`), TMPDIR: at('tmp'), LIMBECK_CACHE: at('cache') };
  const program = path.join(built(), 'dist/cli.js');
  return spawnSync(process.execPath, [program, ...args], { cwd: at(`${user}`), env, uid: user, gid: user, encoding: 'utf8' }); // prettier-ignore
}

/** All files and folders below a folder, with user and mode, but the content of `except`. */
async function below(name: string): Promise<string[]> {
  const found = await readdir(at(name), { recursive: true });
  const lines = found.map(async (file) => {
    const { uid, mode } = await stat(at(name, file));
    return `${file.replace(/[0-9a-f]{64}/, 'KEY')} ${uid} 0${(mode & 0o777).toString(8)}`;
  });
  return (await Promise.all(lines)).sort();
}

// Only root can start processes of another user, who must be able to read the program.
const canTry = process.geteuid?.() === 0 && spawnSync('test', ['-r', path.join(built(), 'dist/cli.js')], { uid: NOBODY }).status === 0; // prettier-ignore

(canTry ? describe : describe.skip)(
  'root, beside a user who shares its folders for temporary files, cache and exports',
  () => {
    it('writes outside of the run only into folders of its own, which neither reads of the other', async () => {
      await chmod(folder(), 0o755);
      for (const name of SHARED) await mkdir(at(name)).then(() => chmod(at(name), 0o1777));
      for (const user of [ROOT, NOBODY])
        for (const name of [`${user}`, `home-${user}`]) await mkdir(at(name)).then(() => chown(at(name), user, user));
      for (const name of ['a', 'b']) {
        await mkdir(at('pictures', name), { recursive: true });
        for (let i = 0; i < 260; i++) {
          const create = { width: 4, height: 4, channels: 3, background: { r: i % 256, g: name === 'a' ? 255 : 0, b: 9 } } as const; // prettier-ignore
          await writeFile(at('pictures', name, `${i}.png`), await sharp({ create }).png().toBuffer());
        }
      }
      // As an export of a killed process, but made by somebody else.
      const planted = ['out/.limbeck-files-a', 'out/.limbeck-files-a/ready'];
      for (const name of planted) await mkdir(at(name)).then(() => chown(at(name), OTHER, OTHER));
      await writeFile(at('out/.limbeck-files-a/ready/x.onnx'), 'evil');

      const recipe = 'name: r\ndataset: { type: image-folder, train: ../pictures, testFraction: 0.2 }\nteacher: { train: { model: mlp, epochs: 2 } }\nstudent: { model: mlp, hidden: [4] }\ndistill: { epochs: 2 }\nreport: { latency: { seconds: 0 } }\n'; // prettier-ignore
      for (const user of [NOBODY, ROOT]) {
        await writeFile(at(`${user}/r.yaml`), recipe);
        const first = limbeckAs(user, 'run', 'r.yaml');
        expect([first.status, first.stderr]).toEqual([0, '']);
        // Each decodes for itself.
        expect(first.stdout).not.toContain('decoded before');
        const again = limbeckAs(user, 'run', 'r.yaml', '--set', 'name=again');
        expect(again.stdout).toContain('decoded before');
        expect(limbeckAs(user, 'export', 'r', '--to', `../out/${user}.onnx`)).toMatchObject({ status: 0 });
        expect(await below(`home-${user}`)).toEqual([]);
      }

      const ofEach = (user: number) => [`pictures-${user} ${user} 0700`, `pictures-${user}/KEY.pixels ${user} 0600`];
      expect(await below('cache')).toEqual([ROOT, NOBODY].flatMap(ofEach));
      for (const line of await below('tmp')) expect(line).toMatch(/^limbeck-(\d+) \1 0700$/);
      expect((await readdir(at('out'))).filter((name) => !name.includes('.json')).sort()).toEqual(['.limbeck-files-a', '0.onnx', '65534.onnx']); // prettier-ignore
    });
  },
);
