"""Asks a server's /v1/completions by OpenAI's own client: prints what it read as JSON."""

import json
import sys

import openai

url, token = sys.argv[1:]
client = openai.OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0)
greedy = {"model": "words", "temperature": 0, "max_tokens": 20}

whole = client.completions.create(prompt=["a person who", "the act of"], **greedy)
stream = client.completions.create(
    prompt="a person who", stream=True, stream_options={"include_usage": True}, **greedy
)
parts = list(stream)
drawn = [
    client.completions.create(model="words", prompt="relating to", temperature=1.1, top_p=0.8, seed=seed, stop=["a", "e"])
    for seed in (5, 5, 6)
]
words = client.completions.create(model="words", prompt="the act of mak", extra_body={"words": 3})


def error_of(**request):
    try:
        client.completions.create(**{**greedy, "prompt": "a", **request})
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.param, error.code]
    return None


def other_token():
    try:
        openai.OpenAI(base_url=f"{url}/v1", api_key="x" * 48, max_retries=0).completions.create(prompt="a", **greedy)
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.param, error.code]
    return None


print(
    json.dumps(
        {
            "texts": [choice.text for choice in whole.choices],
            "finish": [choice.finish_reason for choice in whole.choices],
            "usage": whole.usage.model_dump(),
            "streamed": "".join(choice.text for part in parts for choice in part.choices),
            "parts": len(parts),
            "streamedUsage": parts[-1].usage.completion_tokens,
            "drawn": [one.choices[0].text for one in drawn],
            "words": words.choices[0].words,
            "errors": [error_of(model="gpt"), error_of(n=2), error_of(temperature=9), other_token()],
        }
    )
)
