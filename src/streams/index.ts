/** Fills the slot that converters ask, also those in browsers. */
import { streams, STREAMS } from '../base/streams.ts';

streams.add({ name: STREAMS }, { streamForm: () => import('./form.ts') });
