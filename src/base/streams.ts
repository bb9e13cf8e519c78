import { Registry } from './registry.ts';

/** The row of the feature that writes models as streams, if it was not taken out. */
export const streams = new Registry<{ readonly name: string }>('way to write streams');

export const STREAMS = 'streams';
