import type { DeviceName } from '../../../recipe/engines.ts';
import { tryDevice } from './device-trial.ts';

/** Entry of a process that prints the result of testing a device, see `tryElsewhere`. */
const trial = tryDevice(process.argv[2] as DeviceName);
process.stdout.write(JSON.stringify(trial), () => process.exit(0));
