"""The small world that the built-in model is trained on: scenes, and the code that draws them.

`scenes` says what there is and chooses; `landscape`, `still` and `shapes` compose a picture; `sky`, `land`, `city`,
`weather`, `buildings`, `vehicles`, `living` and `styles` draw its parts on a `canvas`.
"""
