// Preloaded by `--import`: memory that another process has made cannot be opened, as on a machine of its own. Each refusal is a line of $REFUSED.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { openSync } = fs;
fs.openSync = (file, flags, ...rest) => {
  if (String(file).startsWith('/dev/shm/limbeck-') && flags === 'r+') {
    fs.appendFileSync(process.env.REFUSED, `${process.pid}\n`);
    throw new Error(`${file}: not on this machine`);
  }
  return openSync(file, flags, ...rest);
};
syncBuiltinESMExports();
