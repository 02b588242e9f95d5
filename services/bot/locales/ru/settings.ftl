command-settings = Ваш уровень и модель, которая отвечает
menu-settings = ⚙️ Настройки

settings = <b>Настройки</b>
    Насколько хорошо вы владеете языком, который учите? { $level ->
        [beginner] Вы выбрали: <b>начинающий</b>.
        [intermediate] Вы выбрали: <b>средний</b>.
        [advanced] Вы выбрали: <b>продвинутый</b>.
        [native] Вы выбрали: <b>как родной</b>.
       *[open] Вы пока не сказали.
    }
settings-level-beginner = Начинающий
settings-level-intermediate = Средний
settings-level-advanced = Продвинутый
settings-level-native = Как родной
settings-level-open = Не хочу указывать
settings-model = Какая модель должна отвечать первой? { $model ->
        [open] Мы выбираем подходящую.
       *[chosen] Вы выбрали <b>{ $model }</b>.
    }
settings-model-open = Выберите за меня
settings-model-simple = { $mark } попроще: быстрее, и бюджета хватит дольше.
