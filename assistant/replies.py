"""Fixed sentences of the assistant: refusals and clarifying questions, in English and Chinese."""

from __future__ import annotations

from segments.explain import Language

REFUSE: dict[str, tuple[str, str]] = {
    "out_of_scope": (
        "I can only help with your customers: segments, lookalikes, propensities, recommendations and campaign plans.",
        "我只能协助处理客户相关的问题：分群、相似人群、倾向预测、推荐和营销方案。",
    ),
    "destructive": (
        "I cannot delete or change customer data; I only read it. Saved segments can be deleted by name.",
        "我不能删除或修改客户数据，只能读取；已保存的分群可以按名称删除。",
    ),
    "protected": (
        "I do not choose, leave out or guess people by race, religion, health, sexual orientation and the like, nor by "
        "age, sex or family for prices, credit, jobs or housing. Ask by what customers bought, spent or answered.",
        "我不会按种族、宗教、健康、性取向等选择、排除或猜测客户，也不会在价格、信贷、招聘或住房上按年龄、性别或家庭区别对待。"
        "可以按购买、消费或响应情况来描述客户。",
    ),
    "unknown_field": (
        "The data has nothing about: {0}. `segassist features` lists what it has.",
        "数据中没有这些信息：{0}。可用 `segassist features` 查看现有字段。",
    ),
    "unnamed_field": (
        "The data lacks something that this asks for. `segassist features` lists what it has.",
        "其中有些信息数据里没有。可用 `segassist features` 查看现有字段。",
    ),
}
WITHOUT_IT = (
    "Without that I can take: {0}. Answer yes to take them.",
    "不考虑这一点，我可以筛选：{0}。回答“是”即可。",
)
"""Told after a request was refused for one thing that the data lack, where the rest of it describes a segment."""

CLARIFY: dict[str, tuple[str, str]] = {
    "vague": (
        "Which customers do you mean? For example by spend, recency, products bought, demographics or coupon use.",
        "您指的是哪些客户？可以按消费金额、最近购买时间、购买的商品、人口属性或优惠券使用来描述。",
    ),
    "vague_of_them": (
        "What would you like to know of them? For example what sets them apart, whether they come back, what to offer them "
        "or who is like them.",
        "您想了解这些客户的什么？例如：有什么特点、会不会回来、推荐什么、或者找相似的人。",
    ),
    "unsearchable": (
        "The text encoder here reads no Chinese. Say in English what they care about, or name a category or a product that "
        "they bought.",
        "这里的文本编码器不懂中文，商品词表里也没有这个说法。请用英文说出他们关心什么，或给出购买过的品类、商品名称，"
        "例如：买过婴儿食品的客户。",
    ),
    "no_segment": (
        "There is no current segment yet. Describe the customers first, for example: who spent over $500 last quarter?",
        "当前还没有分群。请先描述客户，例如：上季度消费超过 500 元的客户。",
    ),
    "nothing_before": (
        "There is nothing to undo: this conversation has no segment before the current one.",
        "没有可以撤销的内容：本次对话中没有更早的分群。",
    ),
    "no_such": (
        "This conversation has no segment with that number. Say undo for the one before.",
        "本次对话中没有这个序号的分群。说“撤销”可以回到上一个分群。",
    ),
    "no_discovery": (
        "Nothing was discovered yet that has such a number. Ask first: find natural segments.",
        "还没有发现过带编号的自然分群。请先让我发现自然分群，例如：找出自然分群。",
    ),
    "no_feature": (
        "Break it down by what? For example by age, by favourite department or by spend.",
        "按什么拆分？例如年龄、偏好部门或消费金额。",
    ),
    "no_category": (
        "For which category? For example soup, beer or yogurt.",
        "针对哪个品类？例如汤、啤酒或酸奶。",
    ),
    "sales": (
        "I answer about customers and goods, not about the shop's sales as a whole. For example: forecast demand for soup; "
        "how many customers bought in the last 30 days, and how has that changed over time? Any suspicious orders?",
        "我回答客户与商品的问题，不汇报全店销售额。可以这样问：预测汤的需求；最近30天购买过的客户有多少，人数变化趋势如何？有没有异常订单？",
    ),
    "list_out": (
        "A chat shows no customer's id. Whoever may export gets the list by `segassist export` or /v1/exports; of a saved "
        "plan or experiment, with each one's arm and offer, by its button on the page or /v1/experiments/NAME/customers.",
        "对话中不显示客户编号。有导出权限的人可用 `segassist export` 或 /v1/exports 导出名单；已保存的方案或实验的名单"
        "（含每位客户的组别与优惠）可在页面上用其按钮，或在 /v1/experiments/NAME/customers 取得。",
    ),
    "odd_are_no_segment": (
        "Odd customers are told as a number here, not as a segment, so no plan can leave them out by itself. Whoever may "
        "export gets their ids from export_anomalies and keeps them out of the campaign's list.",
        "异常客户在这里只以数量呈现，不是分群，方案无法自动排除他们。"
        "有导出权限的人可以用 export_anomalies 取得编号，并从活动名单中剔除。",
    ),
    "help": (
        "Ask me about your customers. For example: who spent over $500 last quarter? What sets them apart? Will they come "
        "back? What do we offer them with $5,000? Which products sell together?",
        "可以问我关于客户的问题，例如：上季度消费超过500元的客户有哪些？他们有什么特点？他们会回来吗？用5000元预算给他们什么优惠？"
        "哪些商品常一起购买？",
    ),
    "only_condition": (
        "That is the segment's only condition; without it everyone would be in. Describe the customers anew instead.",
        "这是该分群唯一的条件，去掉后就是全体客户了。请重新描述客户。",
    ),
    "no_condition": (
        "The segment has no condition with that number; the answer above lists them in order.",
        "该分群没有这个序号的条件；上面的回答按顺序列出了各个条件。",
    ),
    "not_again": (
        "That was done already and is not done twice. Ask the next thing in that language, and I answer in it.",
        "这件事已经办好，不会再做一遍。请直接用该语言提出下一个问题，我会用它回答。",
    ),
    "no_plan": (
        "Compare '{0}' with which plan? Make one for a segment first, or name a second saved one.",
        "“{0}”要和哪个方案比较？请先为分群制定方案，或说出另一个已保存的方案。",
    ),
    "no_name": ("Under which name?", "请告诉我分群的名称。"),
    "no_plan_name": ("Under which name shall I save the plan?", "请告诉我方案的名称。"),
    "delete": (
        "Delete the saved segment '{0}'? Answer yes to confirm.",
        "确定删除已保存的分群“{0}”吗？回答“是”确认。",
    ),
    "compare": ("Compare with which saved segment?", "与哪个已保存的分群比较？"),
}

GAVE_WAY = (
    "So I took your words another way, as the change above shows; please check it.",
    "因此我换了一种理解，改动见上，请核对。",
)
"""Told after why the edit that was chosen does not hold."""

MENDED: dict[str, tuple[str, str]] = {
    "define_segment": (
        "The language model's plan did not fit twice, so I took the segment that your message describes; please check it.",
        "语言模型的计划两次都不相符，因此我采用了消息中描述的分群，请核对。",
    ),
    "refine_segment": (
        "The language model's plan did not fit twice, so I made the likeliest edit; please check it.",
        "语言模型的计划两次都不相符，因此我做了最可能的修改，请核对。",
    ),
}
"""Told when a plan was put in the place of the model's, by the tool that was run."""


def reply(texts: tuple[str, str], language: Language, *values: str) -> str:
    """The sentence in the language, its blanks filled."""
    return texts[1 if language == "zh" else 0].format(*values)
