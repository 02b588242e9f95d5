command-settings = Your level, and the model that answers
menu-settings = ⚙️ Settings

settings = <b>Settings</b>
    How well do you speak the language that you learn? { $level ->
        [beginner] You said: <b>beginner</b>.
        [intermediate] You said: <b>intermediate</b>.
        [advanced] You said: <b>advanced</b>.
        [native] You said: <b>like a native</b>.
       *[open] You did not say so far.
    }
settings-level-beginner = Beginner
settings-level-intermediate = Intermediate
settings-level-advanced = Advanced
settings-level-native = Like a native
settings-level-open = I would rather not say
settings-model = Which model shall answer first? { $model ->
        [open] We choose the one that fits.
       *[chosen] You chose <b>{ $model }</b>.
    }
settings-model-open = Choose for me
settings-model-simple = { $mark } simpler: quicker, and a budget lasts longer.
