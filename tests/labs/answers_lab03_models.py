"""Right and wrong answers to lab 03, for the gate."""

RIGHT = {
    "group_norm": [
        """
def group_norm(x, groups, weight, bias, eps):
    C = x.shape[1]
    if groups not in range(1, C + 1) or C % groups != 0:
        raise ValueError(f"no {groups} equal groups in {C} channels")
    rows = x.reshape(x.shape[0] * groups, -1)
    centred = rows - rows.mean(1, keepdim=True)
    scale = ((centred * centred).mean(1, keepdim=True) + eps) ** -0.5
    unit = (centred * scale).reshape(x.shape[0], C, -1)
    return (unit * weight[:, None] + bias[:, None]).reshape(x.shape)
""",
        """
def group_norm(x, groups, weight, bias, eps):
    N, C = x.shape[0], x.shape[1]
    if groups < 1 or groups * (C // groups) != C:
        raise ValueError(f"group_norm: {groups} groups of {C} channels")
    y = x.reshape(N, groups, C // groups, -1)
    mean, deviation = y.mean((2, 3)), (y.var((2, 3), correction=0) + eps).sqrt()
    scale = weight.reshape(1, groups, -1) / deviation[:, :, None]
    shift = bias.reshape(1, groups, -1) - mean[:, :, None] * scale
    return (y * scale[..., None] + shift[..., None]).reshape(x.shape)
""",
        """
def group_norm(x, groups, weight, bias, eps):
    if groups <= 0 or x.shape[1] % groups:
        raise ValueError(f"{x.shape[1]} % {groups}")
    last = x.reshape(x.shape[0], x.shape[1], -1).permute(1, 0, 2)
    y = last.reshape(groups, x.shape[1] // groups, x.shape[0], -1)
    y = y - y.mean((1, 3), keepdim=True)
    y = y / (y.var((1, 3), 0, keepdim=True) + eps).sqrt()
    y = y.reshape(last.shape).permute(1, 0, 2) * weight.reshape(-1, 1)
    return (y + bias.reshape(-1, 1)).reshape(x.shape)
""",
    ],
    "multi_query_attention": [
        """
def multi_query_attention(q, k, v):
    B, h, T, d = q.shape
    S = k.shape[-2]
    if T > S or k.shape[1] > 1 or v.shape[1] > 1:
        raise ValueError(f"q {q.shape}, k {k.shape}, v {v.shape}")
    rows = (q * d**-0.5).reshape(B, h * T, d)
    scores = (rows @ k[:, 0].mT).reshape(B, h, T, S)
    late = dl.tensor(np.triu(np.ones((T, S), bool), S - T + 1))
    scores = scores.masked_fill(late, -1e30)
    powers = (scores - scores.detach().amax(-1, keepdim=True)).exp()
    shares = powers / powers.sum(-1, keepdim=True)
    return (shares.reshape(B, h * T, S) @ v[:, 0]).reshape(B, h, T, d)
""",
        """
def multi_query_attention(q, k, v):
    if q.shape[2] > k.shape[2]:
        raise ValueError("more queries than keys")
    if k.shape[1] != 1 or v.shape[1] != 1:
        raise ValueError("one head of keys, one of values")
    T, S = q.shape[2], k.shape[2]
    place = dl.arange(T)[:, None] + (S - T)
    scores = (q @ k.transpose(2, 3)) * (1 / sqrt(q.shape[3]))
    scores = scores.where(dl.arange(S)[None] <= place, float("-inf"))
    top = scores.detach().amax(3, keepdim=True)
    powers = (scores - top).exp()
    return (powers @ v) / powers.sum(3, keepdim=True)
""",
    ],
    "MultiQueryAttention": [
        """
class MultiQueryAttention(nn.Module):
    def __init__(self, dim, heads):
        d, left = divmod(dim, heads)
        if left:
            raise ValueError(f"{heads} heads of {dim}")
        self.d = d
        for name, size in dict(query=dim, key=d, value=d, out=dim).items():
            setattr(self, name, nn.Linear(dim, size))

    def forward(self, x, past=None):
        made = self.query(x)
        d = self.d
        q = [made[..., i : i + d] for i in range(0, made.shape[-1], d)]
        new = [layer(x)[:, None] for layer in (self.key, self.value)]
        if past:
            new = [dl.cat([old, piece], dim=2) for old, piece in zip(past, new)]
        found = multi_query_attention(dl.stack(q, 1), *new)
        return self.out(dl.cat([found[:, i] for i in range(len(q))], -1)), tuple(new)
""",
        """
class MultiQueryAttention(nn.Module):
    def __init__(self, dim, heads):
        if dim // heads * heads != dim:
            raise ValueError(f"MultiQueryAttention({dim}, {heads})")
        self.out, self.value = nn.Linear(dim, dim), nn.Linear(dim, dim // heads)
        self.key, self.query = nn.Linear(dim, dim // heads), nn.Linear(dim, dim)
        self.shape = heads, dim // heads

    def forward(self, x, past=None):
        B, T, dim = x.shape
        k = self.key(x).reshape(B, 1, T, -1)
        v = self.value(x).reshape(B, 1, T, -1)
        if past is not None:
            old_k, old_v = past
            k, v = dl.cat([old_k, k], dim=-2), dl.cat([old_v, v], dim=-2)
        q = self.query(x).reshape(B, T, *self.shape).transpose(1, 2)
        out = multi_query_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        return self.out(out), [k, v]
""",
    ],
}

WRONG = {
    "group_norm": [
        (
            "channels c, c + groups, ... in a group",
            "x.reshape(N, groups, -1)\n    mean",
            "x.reshape(N, C // groups, groups, -1).permute(0, 2, 1, 3)"
            ".reshape(N, groups, -1)\n    mean",
        ),
        (
            "groups and their size exchanged",
            "x.reshape(N, groups, -1)\n    mean",
            "x.reshape(N, C // groups, -1)\n    mean",
        ),
        ("the variance is unbiased", "var(-1, correction=0, ", "var(-1, "),
        ("the groups share a mean", "grouped.mean(-1, ", "grouped.mean((1, 2), "),
        ("the samples share a mean", "grouped.mean(-1, ", "grouped.mean((0, 2), "),
        (
            "a channel alone has a variance",
            "grouped.var(-1, correction=0, keepdim=True)",
            "x.reshape(N, C, -1).var(-1, correction=0).reshape(N, groups, -1)"
            ".mean(-1, keepdim=True)",
        ),
        (
            "eps is outside of the root",
            "(variance + eps).sqrt()",
            "(variance.sqrt() + eps)",
        ),
        ("divided by the variance", "(variance + eps).sqrt())", "(variance + eps))"),
        (
            "the variance is a difference of squares",
            "grouped.var(-1, correction=0, keepdim=True)",
            "(grouped * grouped).mean(-1, keepdim=True) - mean * mean",
        ),
        ("eps is forgotten", "(variance + eps)", "variance"),
        (
            "a mean without its gradient",
            "grouped.mean(-1, keepdim=True)\n    variance",
            "grouped.mean(-1, keepdim=True).detach()\n    variance",
        ),
        (
            "a variance without its gradient",
            "(variance + eps)",
            "(variance.detach() + eps)",
        ),
        (
            "the bias is scaled too",
            "unit * weight.reshape(per_channel) + bias.reshape(per_channel)",
            "(unit + bias.reshape(per_channel)) * weight.reshape(per_channel)",
        ),
        (
            "weight and bias along the last dimension",
            "[C] + [1] * (x.ndim - 2)",
            "[1] * (x.ndim - 2) + [C]",
        ),
        ("only images", "[C] + [1] * (x.ndim - 2)", "[C, 1, 1]"),
        ("any number of groups is taken", "if groups < 1 or C % groups:", "if False:"),
        ("no groups divide by zero", "if groups < 1 or C % groups:", "if C % groups:"),
        (
            "an error without numbers",
            "{C} channels don't make {groups} equal groups",
            "wrong groups",
        ),
        (
            "x is centred in place",
            "    unit = ((grouped - mean) /",
            "    grouped -= mean\n    unit = (grouped /",
        ),
        (
            "a loop over groups",
            "    unit = ((grouped - mean)",
            "    mean = dl.stack([grouped[:, g].mean(-1, keepdim=True) "
            "for g in range(groups)], 1)\n    unit = ((grouped - mean)",
        ),
        (
            "the library's norm",
            "((grouped - mean) / (variance + eps).sqrt())",
            "nn.functional.layer_norm(grouped, eps=eps)",
        ),
        (
            "the library's answer",
            "    unit = ((grouped - mean)",
            "    return nn.functional.group_norm(x, groups, weight, bias, eps)\n"
            "    unit = ((grouped - mean)",
        ),
        (
            "float64 on the way",
            "grouped = x.reshape(N, groups, -1)",
            'grouped = x.to("float64").reshape(N, groups, -1)',
        ),
    ],
    "multi_query_attention": [
        ("no mask", 'scores.masked_fill(hidden, float("-inf"))', "scores"),
        (
            "a query doesn't see its own key",
            "dl.arange(S) > own",
            "dl.arange(S) >= own",
        ),
        ("a query sees one too many", "dl.arange(S) > own", "dl.arange(S) > own + 1"),
        ("queries are the first positions", "dl.arange(S - T, S)", "dl.arange(T)"),
        ("the mask is upside down", "dl.arange(S) > own", "dl.arange(S) < own"),
        (
            "zeros for the hidden scores",
            'masked_fill(hidden, float("-inf"))',
            "masked_fill(hidden, 0.0)",
        ),
        (
            "hidden shares set to 0 after the softmax",
            'nn.functional.softmax(scores.masked_fill(hidden, float("-inf"))) @ v',
            "nn.functional.softmax(scores).masked_fill(hidden, 0.0) @ v",
        ),
        ("softmax over the queries", 'float("-inf"))) @ v', 'float("-inf")), -2) @ v'),
        ("scores divided by d", "/ sqrt(d)", "/ d"),
        ("scores not divided", "/ sqrt(d)", "/ 1"),
        ("divided by the root of S", "/ sqrt(d)", "/ sqrt(S)"),
        (
            "a softmax that overflows",
            'nn.functional.softmax(scores.masked_fill(hidden, float("-inf"))) @ v',
            "(p := scores.exp().masked_fill(hidden, 0.0)) @ v / p.sum(-1, keepdim=True)",
        ),
        (
            "the largest score of the future, too",
            'nn.functional.softmax(scores.masked_fill(hidden, float("-inf"))) @ v',
            "(p := (scores - scores.detach().amax(-1, keepdim=True)).exp()"
            ".masked_fill(hidden, 0.0)) @ v / p.sum(-1, keepdim=True)",
        ),
        ("more queries than positions are taken", "if T > S:", "if False:"),
        ("T = S is refused", "if T > S:", "if T >= S:"),
        (
            "many key heads are taken",
            "if (k.shape[1], v.shape[1]) != (1, 1):",
            "if False:",
        ),
        (
            "value heads are not counted",
            "(k.shape[1], v.shape[1]) != (1, 1)",
            "k.shape[1] != 1",
        ),
        ("keys without their gradient", "q @ k.mT", "q @ k.detach().mT"),
        (
            "the key is stretched to all heads",
            "q @ k.mT / sqrt(d)",
            "q @ k.expand(*q.shape[:2], S, d).contiguous().mT / sqrt(d)",
        ),
        (
            "a loop over heads",
            "scores = q @ k.mT / sqrt(d)",
            "scores = dl.stack([q[:, i] @ k[:, 0].mT / sqrt(d) "
            "for i in range(q.shape[1])], 1)",
        ),
        (
            "the library's attention",
            "return nn.functional.softmax(scores.",
            "return nn.functional.attention(q, k, v, ~hidden)\n"
            "    return nn.functional.softmax(scores.",
        ),
        (
            "all queries are the last position",
            "own = dl.arange(S - T, S).reshape(T, 1)",
            "own = S - 1",
        ),
    ],
    "MultiQueryAttention": [
        (
            "a key for each head",
            "self.key, self.value = nn.Linear(dim, d)",
            "self.key, self.value = nn.Linear(dim, dim)",
        ),
        (
            "no bias in the key",
            "= nn.Linear(dim, d), nn",
            "= nn.Linear(dim, d, bias=False), nn",
        ),
        (
            "tokens and heads mixed up",
            "reshape(B, T, self.heads, -1).permute(0, 2, 1, 3)",
            "reshape(B, self.heads, T, -1)",
        ),
        (
            "heads interleaved",
            "reshape(B, T, self.heads, -1).permute(0, 2, 1, 3)",
            "reshape(B, T, -1, self.heads).permute(0, 3, 1, 2)",
        ),
        (
            "heads not brought back",
            "found.permute(0, 2, 1, 3).reshape",
            "found.reshape",
        ),
        (
            "the heads' mix is forgotten",
            "return self.out(found.permute(0, 2, 1, 3).reshape(B, T, dim)), (k, v)",
            "return found.permute(0, 2, 1, 3).reshape(B, T, dim), (k, v)",
        ),
        ("the past is ignored", "if past is not None:", "if False:"),
        (
            "the past comes last",
            "dl.cat([past[0], k], 2), dl.cat([past[1], v], 2)",
            "dl.cat([k, past[0]], 2), dl.cat([v, past[1]], 2)",
        ),
        (
            "the past's key is its value",
            "dl.cat([past[1], v], 2)",
            "dl.cat([past[0], v], 2)",
        ),
        (
            "only what is new is kept",
            "        found = multi_query_attention(q, k, v)\n",
            "        found = multi_query_attention(q, k, v)\n"
            "        k, v = k[:, :, -T:], v[:, :, -T:]\n",
        ),
        (
            "keys and values exchanged",
            "multi_query_attention(q, k, v)\n        return",
            "multi_query_attention(q, v, k)\n        return",
        ),
        (
            "a detached cache",
            "self.key(x).unsqueeze(1), self.value(x).unsqueeze(1)",
            "self.key(x).unsqueeze(1).detach(), self.value(x).unsqueeze(1)",
        ),
        (
            "kept for each head",
            "reshape(B, T, dim)), (k, v)",
            "reshape(B, T, dim)), (k.expand(*q.shape[:2], *k.shape[2:]), v)",
        ),
        ("any number of heads", "if dim % heads:", "if False:"),
        ("more heads than channels only", "if dim % heads:", "if heads > dim:"),
        (
            "layers in a list",
            "self.query, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim)",
            "self.query, self.out = [nn.Linear(dim, dim)][0], nn.Linear(dim, dim, bias=False)",
        ),
    ],
}
