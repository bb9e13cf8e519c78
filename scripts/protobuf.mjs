import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * `npm run protobuf`: writes the `_pb.ts` beside each `.proto` of src. The generator has 100 MB and is needed when a
 * `.proto` changes, so npx fetches it from the npm registry and no clone installs it.
 */
const root = path.resolve(import.meta.dirname, '..');
const folders = ['src/formats/protobuf', 'src/observers/tensorboard', 'src/teachers/saved-model'];
const packages = ['@bufbuild/buf@1.75.0', '@bufbuild/protoc-gen-es@2.13.0', '@bufbuild/protobuf@2.17.0'];
for (const folder of folders.map((name) => path.join(root, name)).filter(existsSync)) {
  const template = {
    version: 'v2',
    plugins: [{ local: 'protoc-gen-es', out: folder, opt: 'target=ts' }],
    inputs: [{ directory: folder }],
  };
  execFileSync(
    'npx',
    [
      '--yes',
      ...packages.map((name) => `--package=${name}`),
      ...['--', 'buf', 'generate', '--template', JSON.stringify(template)],
    ],
    { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' },
  );
}
