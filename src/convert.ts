/** The part of the list of features (`features.ts`) that `limbeck/convert` loads, and what the package exports under this name. */
import './streams/index.ts';

export { UserError, compare, convert, inspect } from './convert/index.ts';
export type {
  Conversion,
  ConversionOptions,
  Inspected,
  Layer,
  ModelEnd,
  OrtModule,
  OutputLikeness,
  ReadOptions,
  Runtimes,
  Sample,
} from './convert/index.ts';
