// Loaded before a process (`--import`), in each of its threads: writes down the rows that it reads from a file of samples, one by one, in
// READS/RANK-THREAD; and says that little memory is free when samples are read, so that they are left in their files.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

const { READS, ROW_BYTES, FREE_BYTES, OMPI_COMM_WORLD_RANK, PMI_RANK } = process.env;
const log = path.join(READS, `${OMPI_COMM_WORLD_RANK ?? PMI_RANK ?? '0'}-${isMainThread ? 'main' : 'batches'}`);
const read = fs.readSync;
fs.readSync = (descriptor, buffer, offset, length, position) => {
  // Blocks of rows are read where all of a file is.
  if (length === Number(ROW_BYTES)) {
    const file = fs.readlinkSync(`/proc/self/fd/${descriptor}`);
    fs.appendFileSync(log, `${path.basename(file)} ${position}\n`);
  }
  return read(descriptor, buffer, offset, length, position);
};
syncBuiltinESMExports();
// It is asked first for the samples, and then for what is trained.
const available = process.availableMemory;
let asked = 0;
process.availableMemory = () => (asked++ === 0 ? Number(FREE_BYTES) : available());
