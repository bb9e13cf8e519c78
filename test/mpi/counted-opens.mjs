// Loaded before a process (`--import`): writes down the names of the files that it reads as a stream or by a handle, in OPENS/RANK.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';

const { OPENS, OMPI_COMM_WORLD_RANK, PMI_RANK } = process.env;
const log = path.join(OPENS, OMPI_COMM_WORLD_RANK ?? PMI_RANK ?? '0');
const { createReadStream } = fs;
fs.createReadStream = (file, ...rest) => {
  fs.appendFileSync(log, `${path.basename(String(file))}\n`);
  return createReadStream(file, ...rest);
};
const { open } = fs.promises;
fs.promises.open = (file, ...rest) => {
  fs.appendFileSync(log, `${path.basename(String(file))}\n`);
  return open(file, ...rest);
};
syncBuiltinESMExports();
