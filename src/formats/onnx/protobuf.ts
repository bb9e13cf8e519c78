export { decodeModel, missingFile } from './protobuf/decode.ts';
export { encodeModel } from './protobuf/encode.ts';
