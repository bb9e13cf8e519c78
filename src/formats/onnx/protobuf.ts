export { decodeModel, missingFile, namesOfEnds } from './protobuf/decode.ts';
export { encodeModel } from './protobuf/encode.ts';
