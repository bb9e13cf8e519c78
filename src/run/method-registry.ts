import { Registry } from '../base/registry.ts';

/** Ways to train that `src/features.ts` names; each fills the slot of its own. */
export const methods = new Registry<{ readonly name: string }>('method');
