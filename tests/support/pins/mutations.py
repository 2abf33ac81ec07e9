"""Changes that a pin must notice: by component, a module, what stands there and what instead."""

from __future__ import annotations

from collections.abc import Mapping

DATA = "harness.data"
WAV2VEC2 = "backbones.families.wav2vec2.wav2vec2_network"
POOLING = "harness.model.pooling"
LOSSES = "harness.model.losses"
TASK = "harness.tasks.classification"

Change = tuple[str, str, str]

MUTATIONS: Mapping[str, tuple[Change, ...]] = {
    "decoding": (
        (f"{DATA}.audio", "samples.mean(axis=1, dtype=np.float32)", "samples[:, 0]"),
        (f"{DATA}.audio", 'quality="HQ"', 'quality="LQ"'),
        (f"{DATA}.audio", "END_TOLERANCE_S = 0.01", "END_TOLERANCE_S = 0.02"),
        (f"{DATA}.audio", "start = round((start_s or 0.0) * rate_hz)", "start = 0"),
    ),
    "quality": (
        (f"{DATA}.quality", "SILENT_PEAK = 1e-3", "SILENT_PEAK = 0.99e-3"),
        (
            f"{DATA}.quality",
            "info.duration_s < MIN_DURATION_S",
            "info.duration_s <= MIN_DURATION_S",
        ),
        (f"{DATA}.quality", 'if policy.duplicate == "exclude" else "refuse"', 'if True else ""'),
        (f"{DATA}.audio_info", "np.abs(samples).max(initial=0.0)", "samples.max(initial=0.0)"),
    ),
    "labels": (
        (f"{DATA}.label_mapping", "if labels is None:", "if not labels or True:"),
        (f"{DATA}.label_mapping", "or labels[u.target] is not None", "or True"),
        (f"{DATA}.label_mapping", "if label not in counts", "if False"),
    ),
    "subset": (
        (f"{DATA}.subset", "(taken[name], taken_by[speaker, name], name)", "name"),
        (f"{DATA}.subset", "sorted(corpus.utterances, key=_order)", "corpus.utterances"),
        (f"{DATA}.subset", "taken[label] += 1", "taken[label] += 0"),
    ),
    "splits": (
        (f"{DATA}.splits.dev_split", "DEV_SHARE = 5", "DEV_SHARE = 4"),
        (
            f"{DATA}.splits.dev_split",
            'stable_hash(f"{salt}/{name}"))\n    drawn',
            "name)\n    drawn",
        ),
        (f"{DATA}.splits.balanced_groups", "(-counts[name].total(), stable_hash(name))", "name"),
        (
            f"{DATA}.splits.balanced_groups",
            "            position += 1",
            "            position += 2",
        ),
        (f"{DATA}.splits.folds", 'f"fold {fold}"', 'f"fold{fold}"'),
    ),
    "batching": (
        (f"{DATA}.batches", "LENGTH_JITTER = 0.1", "LENGTH_JITTER = 0.2"),
        (f"{DATA}.batches", "longest * (len(plan[-1]) + 1) >", "longest * len(plan[-1]) >"),
        (f"{DATA}.batches", "        rng.shuffle(plan)", "        pass"),
        (f"{DATA}.batches", "default_rng([*seed, index])", "default_rng([*seed])"),
    ),
    "reader.ravdess": (
        (f"{DATA}.readers.ravdess", '"02": "calm"', '"02": "neutral"'),
        (f"{DATA}.readers.ravdess", '("01", "11", "20", "21")', '("01", "11", "20", "22")'),
        (f"{DATA}.readers.ravdess", 'if match["channel"] == _SPEECH', "if True"),
    ),
    "reader.emodb": (
        (f"{DATA}.readers.emodb", '"A": "fear"', '"A": "anxiety"'),
        (f"{DATA}.readers.emodb", 'match["speaker"]', 'match["speaker"][:1]'),
        (f"{DATA}.readers.emodb", 'language="de"', 'language="en"'),
    ),
    "reader.manifest": (
        (f"{DATA}.readers.listed_columns", "return name\n", "return name.upper()\n"),
        (f"{DATA}.readers.manifest", "if row.fold == fold", "if row.fold != fold"),
        (f"{DATA}.readers.manifest_rows", 'return _text(values, "label")', "return None"),
    ),
    "reader.emobox": (
        (f"{DATA}.readers.emobox", 'listed["train"], listed["valid"]', 'listed["valid"], ()'),
        (
            f"{DATA}.readers.emobox",
            "{label: named[label.lower()]",
            "{label: named[label.lower()][1:]",
        ),
        (f"{DATA}.readers.emobox", 'spec.partial == "refuse"', 'spec.partial == "allow"'),
    ),
    "reader.synthetic": (
        (f"{DATA}.readers.synthetic", "_NOISE_DB = -52.0", "_NOISE_DB = -46.0"),
        (f"{DATA}.readers.synthetic", "Voice(208.0, 1.07)", "Voice(208.0, 1.08)"),
        (f"{DATA}.readers.synthetic", '"sad": Manner(0.90', '"sad": Manner(0.91'),
    ),
    "pooling.mean": (
        (
            POOLING,
            "return _weighted_sum(mask / mask.sum(1, keepdim=True)",
            "return _weighted_sum(mask / mask.shape[1]",
        ),
        (POOLING, "values.float().masked_fill", "values.float().abs().masked_fill"),
        (POOLING, '"bf,bfd->bd", weights, values', '"bf,bfd->bd", weights.square(), values'),
    ),
    "pooling.statistics": (
        (POOLING, "MIN_VARIANCE = 1e-5", "MIN_VARIANCE = 1e-4"),
        (POOLING, "(real - mean[:, None]).square()", "(real - mean[:, None]).abs()"),
        (
            POOLING,
            "[mean, variance.clamp(min=MIN_VARIANCE).sqrt()]",
            "[variance.clamp(min=MIN_VARIANCE).sqrt(), mean]",
        ),
    ),
    "pooling.attentive_statistics": (
        (POOLING, "nn.Tanh()", "nn.Sigmoid()"),
        (POOLING, "nn.Linear(hidden_dim, 1, bias=False)", "nn.Linear(hidden_dim, 1)"),
        (POOLING, "masked_fill(~mask, -torch.inf)", "masked_fill(~mask, 0.0)"),
    ),
    "loss.cross_entropy": (
        (
            LOSSES,
            "functional.cross_entropy(logits.float(), labels)\n",
            "functional.cross_entropy(logits.float(), labels, label_smoothing=0.01)\n",
        ),
        (
            LOSSES,
            "functional.cross_entropy(logits.float(), labels)\n",
            'functional.cross_entropy(logits.float(), labels, reduction="sum")\n',
        ),
        (
            LOSSES,
            "functional.cross_entropy(logits.float(), labels)\n",
            "functional.cross_entropy(1.001 * logits.float(), labels)\n",
        ),
    ),
    "loss.weighted_cross_entropy": (
        (LOSSES, "counts.sum() / (len(class_counts) * counts)", "1 / counts.sqrt()"),
        (LOSSES, "labels, weight=self.weight)", "labels)"),
        (
            LOSSES,
            "labels, weight=self.weight)",
            'labels, weight=self.weight, reduction="none").mean()',
        ),
    ),
    "loss.dr": (
        (LOSSES, "margin = 0.5", "margin = 0.6"),
        (LOSSES, "smoothness = 6.0", "smoothness = 5.0"),
        (LOSSES, "-self.positive_temperature", "self.positive_temperature"),
        (LOSSES, "math.log(3.5)", "math.log(3)"),
    ),
    "head": (
        ("harness.model.head", "nn.ReLU()", "nn.GELU()"),
        ("harness.model.head", "self.weights.softmax(0)", "self.weights.sigmoid()"),
        ("harness.model.stream_dropout", ".div_(kept or 1.0)", ""),
        ("harness.model.stream_dropout", ".manual_seed(seed)", ".manual_seed(seed + 1)"),
    ),
    "optimiser": (
        ("harness.training.optimisation", "(step + 1) / warmup", "step / warmup"),
        ("harness.training.optimisation", "if p.ndim <= 1], 0.0)", "if p.ndim <= 1], 0.1)"),
        (
            "harness.training.optimisation",
            "    _clip(parameters, max_grad_norm)\n",
            "",
        ),
        ("harness.training.optimisation", "    optimizer.zero_grad()", "    pass"),
    ),
    "training": (
        (
            "harness.training.early_stopping",
            "average > self._best_average",
            "average >= self._best_average",
        ),
        ("harness.training.early_stopping", "seen > factor * self._lowest_loss", "seen > factor"),
        ("harness.training.step_plans", "loss(outputs, targets) * share", "loss(outputs, targets)"),
        ("harness.training.fit", "    state.model.load_trained_state(state.best)\n", ""),
        (
            "harness.training.step_plans",
            "spec.batch_seconds, (seed, epoch))",
            "spec.batch_seconds, (seed,))",
        ),
    ),
    "probe": (
        (f"{TASK}.probes", "sample_weight=weights[targets]", "sample_weight=None"),
        (f"{TASK}.probes", 'weights="distance"', 'weights="uniform"'),
        (f"{TASK}.probes", "* weights[model.classes_]", "* 1.0"),
        (f"{TASK}.probes", "range(-5, 4)", "range(-4, 4)"),
    ),
    "evaluation": (
        ("harness.training.prediction", ".argsort()]", "]"),
        ("harness.training.prediction", "    network.train(False)\n", ""),
        ("harness.training.prediction", "network.train(was_training)", "pass"),
    ),
    "task.classification": (
        (f"{TASK}.metrics", "probabilities.argmax(1)", "probabilities.argmin(1)"),
        (
            f"{TASK}.metrics",
            'labels=present, average="macro"',
            'labels=present, average="weighted"',
        ),
        (f"{TASK}.metrics", 'labels=list(classes), average="macro"', 'average="macro"'),
        (f"{TASK}.confusion_statistics", "true + guessed).mean(-1)", "true + guessed).max(-1)"),
        (f"{TASK}.metrics", "[1 / 3, 2 / 3]", "[1 / 4, 3 / 4]"),
        (f"{TASK}", "len(corpus.classes) < 2", "len(corpus.classes) < 1"),
        (f"{TASK}", "values.double().softmax(1)", "values.double().sigmoid()"),
    ),
    "frames": (
        (
            "harness.cache.frame_summaries",
            "[mean + deviation, mean - deviation]",
            "[mean, deviation]",
        ),
        (
            "harness.cache.frame_summaries",
            "(centred.square().sum(1) / count)",
            "(centred.square().sum(1) / (count + 1))",
        ),
        ("harness.cache.frame_views", 'choice != "off" and', ""),
        ("harness.cache.frame_views", "(layers - released,)", "(layers,)"),
        ("harness.cache.extraction", "state if at_top else backbone.speech(state)", "state"),
    ),
    "cost": (
        ("harness.profiling.measurement_rounds", '"peak_gpu_bytes",', ""),
        ("harness.profiling.measurement_rounds", "found <= max_spread", "found <= 2 * max_spread"),
        (
            "harness.profiling.timing",
            "product(MODES, cost.durations_s, cost.batch_sizes)",
            "product(MODES, cost.durations_s, cost.batch_sizes[:1])",
        ),
        (
            "harness.profiling.flops",
            "int(counter.get_total_flops())",
            "int(counter.get_total_flops()) // 2",
        ),
    ),
    "backbone.wavlm": (
        (
            "backbones.families.wav2vec2.gated_attention",
            "self.gru_rel_pos_const - 1) + 2",
            "self.gru_rel_pos_const - 1) + 1",
        ),
        (
            "backbones.families.wav2vec2.gated_attention",
            "near, size = half // 2",
            "near, size = half // 4",
        ),
        (WAV2VEC2, "hidden = hidden + self._positions(hidden, frames)", "hidden = hidden * 1"),
    ),
    "backbone.hubert": (
        (
            WAV2VEC2,
            "self.pos_conv_embed(zero_padding(hidden, frames))",
            "self.pos_conv_embed(hidden)",
        ),
        (
            WAV2VEC2,
            "projected if self.variant.projects_alone else projected[0]",
            "2 * projected if self.variant.projects_alone else projected[0]",
        ),
        (WAV2VEC2, "layer(hidden, attention_mask=mask)\n", "layer(hidden, attention_mask=None)\n"),
    ),
    "backbone.wav2vec2": (
        (WAV2VEC2, "hidden + self._positions(hidden, frames)", "self._positions(hidden, frames)"),
        (WAV2VEC2, "first.activation(normed)", "normed"),
        (
            WAV2VEC2,
            "        if not self.norm_first:\n            hidden",
            "        if self.norm_first:\n            hidden",
        ),
    ),
    "backbone.unispeech-sat": (
        (WAV2VEC2, "projected[0]", "projected[0] * 1.01"),
        (
            WAV2VEC2,
            "layer(hidden, attention_mask=mask)\n",
            "hidden + layer(hidden, attention_mask=mask)\n",
        ),
        (WAV2VEC2, "return None if bool(mask.all()) else mask[:, None, None, :]", "return None"),
    ),
    "backbone.data2vec": (
        (
            WAV2VEC2,
            "layer(zero_padding(hidden, frames).transpose(1, 2))",
            "layer(hidden.transpose(1, 2))",
        ),
        (WAV2VEC2, "WAVEFORM_EPSILON = 1e-7", "WAVEFORM_EPSILON = 1e-1"),
        (WAV2VEC2, "hidden = hidden + self._positions", "hidden = self._positions"),
    ),
    "backbone.whisper": (
        (
            "backbones.families.whisper.whisper_network",
            "DYNAMIC_RANGE = 8.0",
            "DYNAMIC_RANGE = 6.0",
        ),
        (
            "backbones.families.whisper.whisper_network",
            "- DYNAMIC_RANGE) + 4) / 4",
            "- DYNAMIC_RANGE) + 4) / 5",
        ),
        (
            "backbones.families.whisper.whisper_network",
            "+ self.embed_positions.weight[: hidden.shape[1]]",
            "+ 0",
        ),
    ),
    "backbone.w2v-bert": (
        ("backbones.families.w2v_bert.fbank", "PRE_EMPHASIS = 0.97", "PRE_EMPHASIS = 0.95"),
        ("backbones.families.w2v_bert.fbank", "/ (own - 1)", "/ own"),
        ("backbones.families.w2v_bert.relative_key_attention", "* width**-0.5", ""),
    ),
    "backbone.emotion2vec": (
        ("backbones.families.emotion2vec.alibi", "-slope * distance", "-slope * distance / 2"),
        (
            "backbones.families.emotion2vec.emotion2vec_network",
            "frames.values[:, extra:], ",
            "frames.values[:, :-extra], ",
        ),
        (
            "backbones.families.emotion2vec.emotion2vec_network",
            "            hidden = zero_padding(hidden, frames)\n",
            "",
        ),
    ),
    "backbone.logmel": (
        ("backbones.nn.mel", "FLOOR = 1e-10", "FLOOR = 1e-6"),
        (
            "backbones.nn.mel",
            "last - (last - positions.abs()[None, :]).abs()",
            "last - (last - positions[None, :]).abs()",
        ),
        ("backbones.families.logmel.logmel_network", "EPSILON = 1e-5", "EPSILON = 1e-1"),
    ),
}
