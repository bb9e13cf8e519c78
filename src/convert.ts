/** The part of the list of features (`features.ts`) that `limbeck/convert` loads, and what the package exports under this name. */
import './streams/index.ts';

export * from './convert/index.ts';
