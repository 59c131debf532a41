"""All tables, for whatever goes over each of them: copying, comparing, sweeping."""

import models_access
import models_billing
import models_feedback
import models_payments
import models_subscribers

ALL_MODELS = (
    *models_billing.ALL_MODELS,
    *models_access.MODELS,
    *models_feedback.MODELS,
    *models_payments.MODELS,
    *models_subscribers.MODELS,
)
CLUSTERED_MODELS = (
    *models_billing.CLUSTERED_MODELS,
    *models_feedback.CLUSTERED_MODELS,
    *models_subscribers.CLUSTERED_MODELS,
)
