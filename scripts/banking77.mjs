/**
 * Fetches the two tables of BANKING77 (Casanueva et al. 2020, CC BY 4.0) from its repository into `datasets/banking77`:
 * `node scripts/banking77.mjs [--from ADDRESS] [--to FOLDER]`. `--from`: another address of the same files, which ends in `/`. A table is
 * written only if it has the checksum that stands here. The tokenizer is made of them by the lines in `datasets/banking77/README.md`.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fetchFiles } from './fetch-files.mjs';

const COMMIT = '57ec275d8078af65b7731c2a98be812d844a6d6b';
const SOURCE = `https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/${COMMIT}/banking_data/`;
const FILES = {
  'train.csv': 'b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b',
  'test.csv': 'd12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d',
};

const text = { type: 'string' };
const { values } = parseArgs({ options: { from: text, to: text } });
const folder = path.resolve(values.to ?? path.join(import.meta.dirname, '../datasets/banking77'));
try {
  const fetched = await fetchFiles(values.from ?? SOURCE, folder, FILES);
  console.log(fetched.length === 0 ? `${folder} has its files already` : fetched.join('\n'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
