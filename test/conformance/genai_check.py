"""Greedy tokens of ONNX Runtime GenAI: `genai_check.py FOLDER PROMPTS TOKENS` prints those behind each prompt, up to the end of the text."""
import json
import sys

import onnxruntime_genai as og

folder, prompts, tokens = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
model = og.Model(folder)
tokenizer = og.Tokenizer(model)
with open(f"{folder}/genai_config.json") as file:
    settings = json.load(file)["model"]


def written(prompt):
    # GenAI's tokenizer adds no template: the text begins behind the end of another one.
    ids = [settings["bos_token_id"], *(int(id) for id in tokenizer.encode(prompt))] if prompt else [settings["bos_token_id"]]
    if ids[1:2] == ids[:1]:
        ids = ids[1:]
    params = og.GeneratorParams(model)
    params.set_search_options(do_sample=False, max_length=len(ids) + tokens)
    generator = og.Generator(model, params)
    generator.append_tokens(ids)
    found = []
    while not generator.is_done() and len(found) < tokens:
        generator.generate_next_token()
        found.append(int(generator.get_next_tokens()[0]))
    return found[: found.index(settings["eos_token_id"])] if settings["eos_token_id"] in found else found


print(json.dumps([written(prompt) for prompt in prompts]))
