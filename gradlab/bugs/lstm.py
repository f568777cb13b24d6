"""The bugs of LSTMs.

Figures are those of `Exhibit.shows`, on sizes 4-5-3 and T = 4.
"""

from __future__ import annotations

from gradlab.bugs.exhibit import Exhibit, Spot, always

ONE_STEP = Spot(
    lambda at: len(at.point.x) == 1,
    "a single time step",
    "a bug in most of backpropagation through time",
    "check with four or more",
    surely=True,
)

OF_LSTMS: tuple[Exhibit, ...] = (
    Exhibit(
        name="lstm_cell_gradient_dropped",
        number=30,
        title="cell state's gradient not carried back",
        summary="what the later cell state sends back is dropped",
        edits={
            "LSTM": (
                ("dc = dc_next + dh * o[t] * (1 - tc[t]**2)", "dc = dh * o[t] * (1 - tc[t]**2)"),
            )
        },
        shows="all gates, 0.006 to 0.6, if there are four steps",
        cause="the cell state's gradient is not carried back through time",
        needs="an LSTM",
        blind="one step; with two or three, the output gate (or its Wh) is right",
        hidden=(ONE_STEP,),
    ),
    Exhibit(
        name="lstm_sigmoid_as_derivative",
        number=30,
        title="input gate in place of its derivative",
        summary="the input gate stands for its derivative",
        edits={"LSTM": (("i: dz_{q} = d{q} * {q}[t] * (1 - {q}[t])", "dz_{q} = d{q} * {q}[t]"),)},
        shows="all gates, 0.002 to 0.5",
        cause="the input gate's sigmoid is used where its derivative belongs",
        needs="an LSTM",
        blind="one step shows it in that gate only; two leave five tensors right",
    ),
    Exhibit(
        name="lstm_tanh_twice",
        number=30,
        title="tanh applied twice",
        summary="tanh is applied to tanh(c)",
        edits={
            "LSTM": (
                (
                    "dc = dc_next + dh * o[t] * (1 - tc[t]**2)",
                    "dc = dc_next + dh * o[t] * (1 - tanh(tc[t])**2)",
                ),
            )
        },
        shows="all gates, 0.0003 to 0.07, cosine 0.99 or more",
        cause="tanh is applied twice in the derivative through h = o tanh(c)",
        needs="an LSTM",
        blind="small cell states, as with small weights",
        hidden=(
            Spot(
                always,
                "the cell states are small",
                "tanh applied twice in the cell state's derivative",
                "raise weight_scale",
            ),
        ),
    ),
    Exhibit(
        name="lstm_step_overwrites",
        number=30,
        title="each time step overwrites",
        summary="each time step's gradient replaces that of the one after",
        edits={
            "LSTM": (
                ("ifgo: {g}Wx_{q} += x[t].T @ dz_{q}", "{g}Wx_{q} = x[t].T @ dz_{q}"),
                ("ifgo: {g}Wh_{q} += h[t - 1].T @ dz_{q}", "{g}Wh_{q} = h[t - 1].T @ dz_{q}"),
                ("ifgo: db_{q} += dz_{q}.sum(axis=0)", "db_{q} = dz_{q}.sum(axis=0)"),
            )
        },
        shows="all gates, 0.08 to 1; Wh is 0: the first step has no state before it",
        cause="each time step's gradient overwrites that of the step after it: = where += belongs",
        needs="an LSTM",
        blind="one step",
        hidden=(ONE_STEP,),
    ),
)
