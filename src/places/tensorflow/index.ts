import type { EngineRoom } from '../../runtime/engine-registry.ts';
import { locateTensorFlow } from './locate.ts';

/** libtensorflow, which runs steps op by op, and SavedModels. */
export const tensorflow: EngineRoom = { name: 'tensorflow', refuseMissing: () => void locateTensorFlow() };
