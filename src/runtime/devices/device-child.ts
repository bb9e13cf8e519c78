import type { DeviceName } from './device-name.ts';
import { tryDevice } from './device-trial.ts';

/** A process of its own, which prints how a device did: see `tryElsewhere`. */
const trial = tryDevice(process.argv[2] as DeviceName);
process.stdout.write(JSON.stringify(trial), () => process.exit(0));
