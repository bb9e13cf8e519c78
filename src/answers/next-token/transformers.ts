import type { PipelineForm, PipelineFiles } from '../../consumers/transformers/config.ts';
import type { TokenizerJson } from '../../data/text/tokenizer/tokenizer-json.ts';
import { cachedFiles } from './cache/files.ts';
import { pastName, presentName } from './cache/graph.ts';
import { decoderParts } from './cache/parts.ts';
import type { DecoderParts } from './cache/parts.ts';

/** Names by which transformers.js finds a precision. */
const NAMES = { fp32: 'onnx/model.onnx', 'dynamic-int8': 'onnx/model_quantized.onnx', int4: 'onnx/model_q4.onnx' };

/** Largest number of tokens of a text and what is written behind it; the model itself sees the last `length` tokens alone. */
const CONTEXT = 4096;

/** Largest rise of the bits per byte in percent, where the recipe has no step of quantization. */
const USUAL_DROP = 1;

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** Files of a decoder with a cache of keys and values, for transformers.js and ONNX Runtime GenAI. */
async function pipelineFiles(
  whole: Parameters<PipelineFiles>[0],
  { file, split, session, tokenizer, recipe }: Parameters<PipelineFiles>[1],
): ReturnType<PipelineFiles> {
  const parts = decoderParts(whole, file);
  const maxDrop = recipe.quantize[0]?.maxDrop ?? USUAL_DROP;
  const { files, skipped } = await cachedFiles(whole, parts, { split, session, maxDrop });
  const stored = JSON.parse(Buffer.from(tokenizer).toString('utf8')) as TokenizerJson;
  const end = stored.added_tokens!.find(({ id }) => id === parts.end)!.content;
  return {
    models: files.map(({ precision, content, bitsPerByte }) => {
      return { name: NAMES[precision], precision, content, score: bitsPerByte };
    }),
    files: new Map([
      ['config.json', json(config(parts))],
      ['generation_config.json', json({ ...ends(parts), do_sample: false })],
      ['genai_config.json', json(genaiConfig(parts))],
      ['tokenizer.json', json(beginningWith(end, parts.end, stored))],
      [
        'tokenizer_config.json',
        json({
          tokenizer_class: 'PreTrainedTokenizerFast',
          bos_token: end,
          eos_token: end,
          pad_token: end,
          add_bos_token: true,
          clean_up_tokenization_spaces: false,
        }),
      ],
    ]),
    skipped,
    notes: [
      `Each token sees the last ${parts.length} tokens, as in training; longer texts are read to their end.`,
      'ONNX Runtime GenAI opens the folder too, by genai_config.json.',
    ],
  };
}

export const transformers: PipelineForm = { texts: 'text-generation', pipelineFiles };

const ends = ({ end }: DecoderParts) => ({ bos_token_id: end, eos_token_id: end, pad_token_id: end });

function config(parts: DecoderParts): object {
  const { layers, heads, groups, depth, size, inner, length, vocabulary, isGated } = parts;
  return {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    ...ends(parts),
    hidden_size: size,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: groups,
    head_dim: depth,
    hidden_act: isGated ? 'silu' : 'gelu',
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    max_position_embeddings: CONTEXT,
    sliding_window: length,
    tie_word_embeddings: true,
    vocab_size: vocabulary,
  };
}

/** As https://onnxruntime.ai/docs/genai/reference/config.html has it. */
function genaiConfig(parts: DecoderParts): object {
  const { layers, heads, groups, depth, size, vocabulary } = parts;
  // GenAI writes the number of a layer where %d stands.
  const named = (nameOf: typeof pastName, part: 'key' | 'value'): string => nameOf(0, part).replace('0', '%d');
  return {
    model: {
      type: 'llama',
      ...ends(parts),
      context_length: CONTEXT,
      vocab_size: vocabulary,
      decoder: {
        session_options: { provider_options: [] },
        filename: NAMES.fp32,
        head_size: depth,
        hidden_size: size,
        num_attention_heads: heads,
        num_hidden_layers: layers,
        num_key_value_heads: groups,
        inputs: {
          input_ids: 'input_ids',
          attention_mask: 'attention_mask',
          position_ids: 'position_ids',
          past_key_names: named(pastName, 'key'),
          past_value_names: named(pastName, 'value'),
        },
        outputs: {
          logits: 'logits',
          present_key_names: named(presentName, 'key'),
          present_value_names: named(presentName, 'value'),
        },
      },
    },
    search: {
      do_sample: false,
      max_length: CONTEXT,
      min_length: 0,
      num_beams: 1,
      num_return_sequences: 1,
      past_present_share_buffer: false,
      repetition_penalty: 1,
      temperature: 1,
      top_k: 1,
      top_p: 1,
    },
  };
}

/** The tokenizer with the end of a text before each text, as in training, in place of what its template adds. */
function beginningWith(end: string, id: number, tokenizer: TokenizerJson): object {
  const token = { SpecialToken: { id: end, type_id: 0 } };
  const text = (of: 'A' | 'B') => ({ Sequence: { id: of, type_id: 0 } });
  return {
    normalizer: null,
    pre_tokenizer: null,
    decoder: null,
    ...tokenizer,
    post_processor: {
      type: 'TemplateProcessing',
      single: [token, text('A')],
      pair: [token, text('A'), text('B')],
      special_tokens: { [end]: { id: end, ids: [id], tokens: [end] } },
    },
  };
}
